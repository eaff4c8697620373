pub mod estate;
pub mod fault;
pub mod levers;
pub mod metric;
pub mod observation;
pub mod program;
